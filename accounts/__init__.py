"""Who you are and what is yours. Knows no other app."""
