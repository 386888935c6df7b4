"""Commands that train models, and the recipes they follow."""
