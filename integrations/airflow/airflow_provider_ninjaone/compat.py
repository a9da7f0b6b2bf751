"""What Airflow 2.11 and the releases of Airflow 3 have in different modules."""

from __future__ import annotations

try:
    from airflow.sdk import BaseOperator as BaseOperator
except ImportError:  # Airflow 2
    from airflow.models.baseoperator import BaseOperator as BaseOperator

try:
    from airflow.sdk.bases.hook import BaseHook as BaseHook
except ImportError:
    from airflow.hooks.base import BaseHook as BaseHook

try:
    from airflow.sdk.exceptions import AirflowException as AirflowException
    from airflow.sdk.exceptions import AirflowFailException as AirflowFailException
except ImportError:
    from airflow.exceptions import AirflowException as AirflowException
    from airflow.exceptions import AirflowFailException as AirflowFailException
