"""What is measured: speed, scaling, the server's load."""
