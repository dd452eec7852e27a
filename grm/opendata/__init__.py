"""What everybody may know: the monthly public file, with small numbers withheld."""
