"""One sandbox from outside: opened, kept in reserve, asked, believed in nothing, ended."""
