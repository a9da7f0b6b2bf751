from connector.catalog.catalog import Catalog as Catalog
from connector.errors import ActionError as ActionError
from connector.errors import ConnectionSetupError as ConnectionSetupError
from connector.errors import ConnectorError as ConnectorError
from connector.errors import FailureLimitError as FailureLimitError
from connector.errors import InputError as InputError
from connector.errors import NotStartedError as NotStartedError
from connector.errors import RunError as RunError
from connector.errors import RunStoppedError as RunStoppedError
from connector.files.envelope import Envelope as Envelope
from connector.library.halopsa import HaloPSA as HaloPSA
from connector.library.ninjaone import NinjaOne as NinjaOne
from connector.library.session import Session as Session

__version__: str
