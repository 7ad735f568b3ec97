"""The desired state as commits to a repository that Argo CD or Flux watches."""
