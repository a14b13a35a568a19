"""A class: whose file is whose, what its submissions have in common, what to hand back."""
