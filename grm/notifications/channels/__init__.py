"""The ways out: an SMS gateway and a mail server behind one small contract."""
