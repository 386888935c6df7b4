"""Small commands and what several commands share."""
