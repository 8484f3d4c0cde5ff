"""From the files of each benchmark, as they are given out, to its tables and frame lists."""
