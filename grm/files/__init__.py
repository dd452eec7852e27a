"""What people hand in: told apart by content, made clean, scanned and stored. Knows neither cases nor HTTP."""
