"""Single steps on the way of a frame, each as a ratio to a JSON parse of its bytes."""
