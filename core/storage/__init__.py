"""Objects: one contract, two stores, S3 and a folder with signed addresses."""
from importlib import import_module

from core.storage.contract import Store
from core.storage.folder import FolderStore


def open_store(settings: dict) -> Store:
    """The store the settings name: S3 where they name a bucket, else the folder, which needs no boto3 to be loaded."""
    if not settings["S3_BUCKET"]:
        store = FolderStore(settings["MEDIA_FOLDER"], settings["SECRET_KEY"])
    else:
        store = import_module("core.storage.s3").S3Store(
            settings["S3_BUCKET"], endpoint=settings["S3_ENDPOINT"], public=settings["S3_PUBLIC_ENDPOINT"],
            region=settings["S3_REGION"], access_key=settings["S3_ACCESS_KEY"], secret_key=settings["S3_SECRET_KEY"])
    store.reading_seconds = settings["READING_SECONDS"]
    return store
