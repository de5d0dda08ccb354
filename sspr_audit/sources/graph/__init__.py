"""Reads Microsoft Graph: signing in, asking politely, and proving that the answer is whole.

    app.py          which app, in which tenant, of which cloud
    auth.py         an access token, whenever one is asked for
    http.py         the one HTTP client, and its troubles in words
    pace.py         when the next request may go out
    client.py       requests, repeated where that helps, and pages
    collections.py  what can be asked for, and what it costs to go without
    queries.py      the questions themselves
    windows.py      which spans of time to ask for, and in what pieces
    reading.py      the audit records of one window, each checked against what was asked
    skew.py         how far our clock is from the service's
    reaching.py     whether a service answers at all

Import these where they are used: httpx and msal cost a fifth of a second.
"""
