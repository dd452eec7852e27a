"""Stage 6: every effect is a message row first, then an SMS or e-mail with a delivery record."""
