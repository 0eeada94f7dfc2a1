"""The load balancer: how providers fare, and what changes them."""
