"""What a paper changes in a formula: games, penalties, bounds, augmentations, schedules."""
