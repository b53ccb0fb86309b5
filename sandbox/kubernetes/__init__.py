"""Real Kubernetes API servers behind the simulated clusters, and the stand-in provider that talks to them."""
