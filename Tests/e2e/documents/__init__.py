"""What the documents say that can be tried: their commands, flags, paths, links and generated parts."""
