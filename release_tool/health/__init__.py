"""What Prometheus, gRPC, HTTP, a program or Kubernetes say of the health of versions. `judge` asks all at once."""
