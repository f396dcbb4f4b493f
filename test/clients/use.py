"""Asks a running Evander with the client that was generated for it."""

import os

from evander_client import AuthenticatedClient
from evander_client.api.stations import list_stations
from evander_client.api.tags import get_tag, put_tag
from evander_client.models import Problem, PutTagRequest, StationPage, Tag

client = AuthenticatedClient(base_url=os.environ["EVANDER_URL"], token=os.environ["EVANDER_KEY"])
page = list_stations.sync(client=client, limit=10)
assert isinstance(page, StationPage), page
assert [station.station_id for station in page.items], "no station is known"
made = put_tag.sync("CLIENT", client=client, body=PutTagRequest(note="of the generated client"))
assert isinstance(made, Tag) and made.note == "of the generated client", made
missing = get_tag.sync("NOBODY", client=client)
assert isinstance(missing, Problem) and missing.status == 404, missing
