"""Reports as files: CSV, Excel and PDF, in both languages."""
