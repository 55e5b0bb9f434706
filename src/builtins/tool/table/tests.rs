//! Tables as the usual programs print them, and what is none.

use super::read;

/// The names, and the cells of each row between bars; or why there are none.
fn shown(text: &str) -> String {
    match read(text) {
        Ok(table) => {
            std::iter::once(&table.names).chain(&table.rows).map(|row| row.join("|")).collect::<Vec<_>>().join("\n")
        }
        Err(unsure) => unsure.what,
    }
}

#[track_caller]
fn holds(text: &str, rows: &[&str]) {
    assert_eq!(shown(text), rows.join("\n"));
}

#[track_caller]
fn refuses(text: &str, why: &str) {
    assert_eq!(shown(text), why);
}

#[test]
fn reads_kubectl_docker_and_helm() {
    holds(
        "NAME     STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\n\
         data-0   Bound     pvc-1d   10Gi       RWO            standard       5d\n\
         data-1   Pending                                      standard       5m\n",
        &[
            "name|status|volume|capacity|access_modes|storageclass|age",
            "data-0|Bound|pvc-1d|10Gi|RWO|standard|5d",
            "data-1|Pending||||standard|5m",
        ],
    );
    holds(
        "NAME    READY   STATUS             RESTARTS       AGE\n\
         web-0   1/1     Running            3 (5m ago)     2d\n\
         web-1   0/1     CrashLoopBackOff   120 (2m ago)   2d\n",
        &[
            "name|ready|status|restarts|age",
            "web-0|1/1|Running|3 (5m ago)|2d",
            "web-1|0/1|CrashLoopBackOff|120 (2m ago)|2d",
        ],
    );
    holds(
        "CONTAINER ID   IMAGE     CREATED       STATUS                     PORTS      NAMES\n\
         3f4e5a6b7c8d   nginx:1   2 hours ago   Up 2 hours                 80/tcp     web\n\
         aaaa5a6b7c8d   redis:7   3 days ago    Exited (137) 2 hours ago              cache\n",
        &[
            "container_id|image|created|status|ports|names",
            "3f4e5a6b7c8d|nginx:1|2 hours ago|Up 2 hours|80/tcp|web",
            "aaaa5a6b7c8d|redis:7|3 days ago|Exited (137) 2 hours ago||cache",
        ],
    );
    holds(
        "NAME   \tREVISION\tUPDATED             \tAPP VERSION\n\
         gateway\t12      \t2026-11-20 08:12 UTC\t2.0.7      \n\
         redis  \t3       \t2026-10-01 10:00 UTC\t           \n",
        &[
            "name|revision|updated|app_version",
            "gateway|12|2026-11-20 08:12 UTC|2.0.7",
            "redis|3|2026-10-01 10:00 UTC|",
        ],
    );
}

#[test]
fn reads_df_ps_free_and_lsblk() {
    holds(
        "Filesystem      Size  Used Avail Use% Mounted on\n\
         /dev/sda1        50G   45G    5G  90% /\n\
         /dev/sdb1       100G   10G   90G  10% /mnt/my disk\n",
        &[
            "filesystem|size|used|avail|use|mounted_on",
            "/dev/sda1|50G|45G|5G|90%|/",
            "/dev/sdb1|100G|10G|90G|10%|/mnt/my disk",
        ],
    );
    holds(
        "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
         /dev/vda         264212084 74290152  21211112      78% /\n\
         tmpfs             24683656     4248  24679408       1% /dev/shm\n",
        &[
            "filesystem|1024_blocks|used|available|capacity|mounted_on",
            "/dev/vda|264212084|74290152|21211112|78%|/",
            "tmpfs|24683656|4248|24679408|1%|/dev/shm",
        ],
    );
    holds(
        "  PID USER       TIME COMMAND\n    1 root   00:00:01 systemd --user\n   22 www    00:10:01 nginx\n",
        &["pid|user|time|command", "1|root|00:00:01|systemd --user", "22|www|00:10:01|nginx"],
    );
    holds("PID    RSS\n  1  12345\n", &["pid|rss", "1|12345"]);
    holds("Use% Size\n10% 5\n", &["use|size", "10%|5"]);
    holds(
        "NAME  MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\nzram0 253:0    0    0B  0 disk \nvda   254:0    0  256G  0 disk /\n",
        &["name|maj_min|rm|size|ro|type|mountpoints", "zram0|253:0|0|0B|0|disk|", "vda|254:0|0|256G|0|disk|/"],
    );
    // Its first column has no name.
    refuses(
        "               total        used        free\nMem:        24683656     3164744     4379628\n",
        "has 3 columns in its header and 4 in line 2 (`Mem: 24683656 3164744 4379628`)",
    );
}

#[test]
fn reads_ss_netstat_and_systemctl() {
    holds(
        "State  Recv-Q Send-Q Local Address:Port  Peer Address:Port\n\
         LISTEN 0      128        127.0.0.1:4015      0.0.0.0:*\n",
        &[
            "state|recv_q_send_q_local_address_port|peer_address_port",
            "LISTEN|0      128        127.0.0.1:4015|0.0.0.0:*",
        ],
    );
    holds(
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\n\
         tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      812/sshd: /usr\n\
         udp        0      0 0.0.0.0:68              0.0.0.0:*                           700/dhclient\n",
        &[
            "proto_recv_q_send_q_local_address|foreign_address|state|pid_program_name",
            "tcp        0      0 0.0.0.0:22|0.0.0.0:*|LISTEN|812/sshd: /usr",
            "udp        0      0 0.0.0.0:68|0.0.0.0:*||700/dhclient",
        ],
    );
    let units = "  UNIT           LOAD   ACTIVE SUB     DESCRIPTION\n\
                 ● nginx.service  loaded failed failed  A web server\n  \
                   ssh.service    loaded active running OpenBSD server\n\n\
                 LOAD   = Reflects whether the unit definition was properly loaded.\n\
                 2 loaded units listed. Pass --all to see loaded but inactive units, too.\n\
                 To show all installed unit files use 'systemctl list-unit-files'.\n";
    holds(
        units,
        &[
            "unit|load|active_sub|description",
            "nginx.service|loaded|failed failed|A web server",
            "ssh.service|loaded|active running|OpenBSD server",
        ],
    );
    refuses(
        &units.replace("2 loaded", "3 loaded"),
        "has line 6 (`3 loaded units listed. Pass --all to see loaded but inactive…`) below a blank line, and that is no row of the table above",
    );
}

#[test]
fn a_cell_is_empty_or_stands_below_its_name() {
    holds(
        "NAME    USED   LIMIT   NOTE\na       10     20      x\nb              30      y\nc       5              z z\n",
        &["name|used|limit|note", "a|10|20|x", "b||30|y", "c|5||z z"],
    );
    refuses(
        "NAME USED LIMIT NOTE\na    10   20    x\nb         30    y z\n",
        "has a cell that does not stand under its name in line 3 (`b 30 y z`)",
    );
    refuses(
        "NAME    STATUS    NOTE\na       ok        fine\naverylongname     gone away\n",
        "has a cell that does not stand under its name in line 3 (`averylongname gone away`)",
    );
    // What stands wide apart is a cell each, also where one pushes the others away.
    holds(
        "NAME     STATUS  AGE\na        OK      5m\na-long-name-of-it  OK  5m\n",
        &["name|status|age", "a|OK|5m", "a-long-name-of-it|OK|5m"],
    );
    refuses("A B\n1 2 3\n", "has 2 columns in its header and 3 in line 2 (`1 2 3`)");
}

#[test]
fn a_line_of_dashes_is_no_row_and_shows_the_columns() {
    holds("Package    Version\n---------- -------\nattrs      23.1.0\n", &["package|version", "attrs|23.1.0"]);
    holds(
        "JobID           JobName      State\n------------ ---------- ----------\n101               train  COMPLETED\n102                         FAILED\n",
        &["jobid|jobname|state", "101|train|COMPLETED", "102||FAILED"],
    );
    refuses(
        "NAME      USED\nweb       10\n--------------\nTOTAL     15\n",
        "has line 4 (`TOTAL 15`) below a line of dashes, and that is no row of the table above",
    );
}

#[test]
fn another_table_below_is_never_read_under_the_names_of_the_first() {
    refuses(
        "NAME     READY   AGE\nweb      2/2     5m\n\nNAME     DESIRED   AGE\nweb-1    2         5m\n",
        "has line 4 (`NAME DESIRED AGE`) below a blank line, and that is no row of the table above",
    );
    holds("NAME      READY\nweb       1/1\n\nNAME   READY\ndb     0/1\n", &["name|ready", "web|1/1", "db|0/1"]);
    holds("\nNAME READY\nweb 1/1\nNAME READY\ndb 0/1\n\n", &["name|ready", "web|1/1", "db|0/1"]);
}

#[test]
fn a_remark_is_no_row() {
    refuses(
        "NAME      READY   STATUS\nweb       1/1     Running\nUnable to connect\n",
        "ends with line 3 (`Unable to connect`), which is one run of words over several columns",
    );
    refuses(
        "NAME      READY   STATUS\nweb       1/1     Running\n... 12 more\n",
        "has a cell that does not stand under its name in line 3 (`... 12 more`)",
    );
}

#[test]
fn guesses_no_column() {
    refuses("", "is empty, and was to begin with a line of column names");
    refuses("a,b\n1,2\n", "has one column, `a,b`: columns stand apart by tabs or blanks");
    refuses("A  A\n1  2\n", "has no name of its own for each column: `A`, `A`");
    refuses(
        " datname  | n\n----------+---\n postgres | 1\n",
        "has columns that stand apart by bars, not by tabs or blanks",
    );
    refuses("A  B\n1  \u{8}2\n", "has a control character in line 2");
    refuses("   A  B  C\na     2\n", "has `a` before its first column in line 2 (`a 2`)");
}
