"""Public pages of information: programmes, how to complain, questions often asked."""
