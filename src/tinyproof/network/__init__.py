"""What a network is, costs and sees: nets, budget (plain data), anatomy (by torch's own operators)."""
