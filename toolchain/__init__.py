"""Where the programs we run come from: Pulumi's engine and its Python host, etcd, and Kubernetes' control plane."""
