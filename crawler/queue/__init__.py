"""A crawl on several hosts: nights are made of tasks in PostgreSQL, and workers on any host take them."""
