"""What travels between client and service, and how calls are strung together; no topic."""
