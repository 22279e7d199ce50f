"""Contexts: sets of files that outlive sessions; imports `sandboxes` and below.

A context keeps each file under the absolute path that it had in a session. A session that names
the context gets a volume, a directory of its own at the path it asks for: files are copied into it
when the session begins ("download") and back before it ends ("upload"). So two sessions with one
context never write into each other's files, and policies have a meaning.

What lies in a volume belongs to the session, which may be hostile and may change it meanwhile: all
work in it goes through directory descriptors and follows no link (`beneath`).
"""
