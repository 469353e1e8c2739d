"""The contract every stage fulfils, and how stages are found."""
