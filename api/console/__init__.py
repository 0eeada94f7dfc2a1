"""The console: web pages on the read models, for people. Whatever they change goes through one
guarded door (desk.py), whether a page or an HTTP request asks for it."""
