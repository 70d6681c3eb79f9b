"""Xianzhi (县志): an archive of Chinese county and prefecture news."""
