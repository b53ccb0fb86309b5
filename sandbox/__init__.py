"""Three clouds on one machine: simulated control planes over gRPC, real Kubernetes API servers inside."""
