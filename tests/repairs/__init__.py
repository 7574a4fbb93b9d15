"""What is wrong is shown once, cured with a click, and gone when it is put right."""
