"""What a pull request affects, held against brute force."""
