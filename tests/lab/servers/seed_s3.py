"""Fills the S3 server: backups of today and yesterday, a bucket with more than a page of objects, one that is empty."""

import sys
from datetime import datetime, timedelta, timezone

import boto3

SIZES = {"postgres": 4_000_000, "redis": 300_000, "qdrant": 900_000, "arangodb": 700_000, "meilisearch": 250_000,
         "config": 9_000, "secrets": 2_000, "logs": 120_000}


def main(endpoint):
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                          aws_access_key_id="lab", aws_secret_access_key="lab")
    for bucket in ("sarvanom-backups", "many", "empty"):
        client.create_bucket(Bucket=bucket)
    today = datetime.now(timezone.utc)
    # A lab that stands over midnight has the backup of the next day as well.
    for name, size in SIZES.items():
        for days in (-1, 0, 1):
            day = today + timedelta(days=days)
            body = b"x" * (size + days * size // 50)
            client.put_object(Bucket="sarvanom-backups", Key=f"{name}/{day:%Y/%m/%d}/{name}.dump", Body=body)
    for number in range(1200):
        client.put_object(Bucket="many", Key=f"part/{number:05}", Body=b"x")


main(sys.argv[1])
