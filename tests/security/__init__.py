"""What an attacker on the network can do, and what not."""
