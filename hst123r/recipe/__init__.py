"""Recipes: YAML text to a checked recipe with line and column, its schema, its resolution."""
