"""The directory: ministries, offices, dated postings, programmes, categories and places."""
