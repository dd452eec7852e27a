"""Names and addresses of people who do not exist. Pure."""

from dataclasses import dataclass
from random import Random

# (Bangla, English) parts of names as they occur in the country's communities.
_MEN = (
    ("মোঃ আব্দুল", "Md. Abdul"), ("মোঃ হাবিবুর", "Md. Habibur"), ("আব্দুস", "Abdus"), ("মোঃ জসিম", "Md. Jasim"),
    ("নুরুল", "Nurul"), ("মোঃ সোহেল", "Md. Sohel"), ("আলী", "Ali"), ("মোঃ কামাল", "Md. Kamal"), ("শাহ আলম", "Shah Alam"),
    ("মোঃ রুবেল", "Md. Rubel"), ("ইদ্রিস", "Idris"), ("মোঃ বাবুল", "Md. Babul"), ("সিরাজুল", "Sirajul"),
)  # fmt: skip
_MEN_LAST = (
    ("মিয়া", "Mia"), ("শেখ", "Sheikh"), ("মোল্লা", "Molla"), ("হাওলাদার", "Howlader"), ("প্রামাণিক", "Pramanik"),
    ("সরদার", "Sardar"), ("খান", "Khan"), ("মণ্ডল", "Mondal"), ("গাজী", "Gazi"), ("হোসেন", "Hossain"), ("আলী", "Ali"),
)  # fmt: skip
_WOMEN = (
    ("মোছাঃ রাবেয়া", "Mst. Rabeya"), ("আমেনা", "Amena"), ("মোছাঃ হালিমা", "Mst. Halima"), ("জরিনা", "Jarina"),
    ("ছকিনা", "Sokina"), ("মোছাঃ ফাতেমা", "Mst. Fatema"), ("সুফিয়া", "Sufia"), ("মরিয়ম", "Moriom"), ("রহিমা", "Rohima"),
    ("শিউলি", "Shiuli"), ("হাসিনা", "Hasina"), ("জোবেদা", "Jobeda"), ("কুলসুম", "Kulsum"),
)  # fmt: skip
_WOMEN_LAST = (
    ("বেগম", "Begum"), ("খাতুন", "Khatun"), ("আক্তার", "Akter"), ("বিবি", "Bibi"), ("বেওয়া", "Bewa"), ("পারভীন", "Parvin"),
)  # fmt: skip
_OTHERS = (
    ("মালতী রানী দাস", "Malati Rani Das", "female"), ("গোপাল চন্দ্র শীল", "Gopal Chandra Shil", "male"),
    ("পারুল বালা", "Parul Bala", "female"), ("নিখিল বর্মণ", "Nikhil Barman", "male"),
    ("সুনীল হেমব্রম", "Sunil Hembrom", "male"), ("মিনতি মুর্মু", "Minati Murmu", "female"),
    ("সুইচিং মারমা", "Suiching Marma", "female"), ("রূপায়ণ চাকমা", "Rupayan Chakma", "male"),
    ("যোসেফ মারান্ডি", "Joseph Marandi", "male"), ("লক্ষ্মী তাঁতী", "Lakshmi Tanti", "female"),
    ("কৃষ্ণপদ জলদাস", "Krishnapada Joldas", "male"), ("অনিমা রায়", "Anima Roy", "female"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody: name in the language of the complaint, sex, telephone, perhaps an address of mail."""

    name: str
    sex: str
    phone: str
    email: str


def person(rng: Random, language: str) -> Person:
    """Draw somebody. Telephones begin 01300 1: a row no operator gives out so; some share one, as families do."""
    choice = 0 if language == "bn" else 1
    draw = rng.random()
    if draw < 0.1:
        other = rng.choice(_OTHERS)
        name, sex = other[choice], other[2]
    elif draw < 0.6:
        name, sex = f"{rng.choice(_WOMEN)[choice]} {rng.choice(_WOMEN_LAST)[choice]}", "female"
    else:
        name, sex = f"{rng.choice(_MEN)[choice]} {rng.choice(_MEN_LAST)[choice]}", "male"
    number = rng.randrange(20_000)
    email = f"citizen{number}@mail.example" if rng.random() < 0.06 else ""
    return Person(name, sex, f"01300{100_000 + number}", email)
