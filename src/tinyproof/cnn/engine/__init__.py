"""What computes a training step: one interface, two engines (torch everywhere, native on the CPU)."""
