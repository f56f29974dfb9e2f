"""Publishers: where groups become visible."""
