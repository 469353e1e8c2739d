"""Results that leave this machine: bundles, what they say, and their replay."""
