"""The gates themselves, by what they look at; outreach.policy says which mail passes which."""
