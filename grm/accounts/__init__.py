"""Officers who sign in: roles, passwords, second factor, sessions."""
