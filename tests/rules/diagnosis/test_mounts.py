import pytest

from gqlstock.rules.diagnosis.mounts import Mount, mount_of

TABLE = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /srv rw,relatime shared:5 master:1 - nfs4 server:/export rw
24 22 0:22 / /srv/local\040disk rw,relatime - xfs /dev/vdb rw
25 22 0:23 / /tmp rw - tmpfs tmpfs rw
26 22 0:24 / /tmp rw - ext4 /dev/vdc rw
a line that is not a mount
"""


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        pytest.param("/var/lib/shop.db", Mount("ext4", "/"), id="the-root-holds-the-rest"),
        pytest.param("/srv/shop.db", Mount("nfs4", "/srv"), id="optional-fields-are-skipped"),
        pytest.param("/srvother/shop.db", Mount("ext4", "/"), id="a-directory-is-compared-as-a-whole"),
        pytest.param("/srv/local disk/shop.db", Mount("xfs", "/srv/local disk"), id="the-longest-directory-holds-it"),
        pytest.param("/tmp/shop.db", Mount("ext4", "/tmp"), id="a-later-mount-hides-an-earlier-one"),
    ],
)
def test_the_mount_of_a_path(path: str, mount: Mount) -> None:
    assert mount_of(path, TABLE) == mount


def test_without_a_table_there_is_none() -> None:
    assert mount_of("/srv/shop.db", "") is None
