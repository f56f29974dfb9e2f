"""Mistakes in pipeline files, and the message that each must give: its place, what was found, what
was expected, and what to do next."""

from __future__ import annotations

HEAD = "pipeline: p\nimages: {from: photos/}\nstages:\n"
MANIFEST = HEAD.replace("photos/", "list.csv")
PRIMARY = HEAD.replace("photos/}", "photos/, primary: first}")

TABLE: dict[str, tuple[str, str]] = {
    "a list": (
        "- a\n",
        "x:1:1: found a list\n  expected a mapping with the keys pipeline, images and stages",
    ),
    "missing": ("pipeline: p\nimages: {from: a}\n", "x:1:1: the key 'stages' is missing"),
    "misspelled": (
        "pipelin: p\nimages: {from: a}\nstages: [validate]\n",
        (
            "x:1:1: pipelin: unknown key 'pipelin'\n"
            "  expected pipeline, images, stages, run, tolerance, alerts or workspace\n"
            "  did you mean 'pipeline'?"
        ),
    ),
    "not text": (
        "pipeline: 7\nimages: {from: a}\nstages: [validate]\n",
        'x:1:11: pipeline: found 7\n  expected text\n  in quotes it is text: pipeline: "7"',
    ),
    "no stages": (
        "pipeline: p\nimages: {from: a}\nstages: {}\n",
        "x:3:9: stages: found an empty mapping\n  expected a mapping of names to stages, or a list",
    ),
    "group": (
        "pipeline: p\nimages: {from: a, group: folders}\nstages: [validate]\n",
        (
            "x:2:26: images.group: found 'folders'\n"
            "  expected folder, pattern, column or none\n  did you mean 'folder'?"
        ),
    ),
    "pattern": (
        'pipeline: p\nimages: {from: a, group: {pattern: "(a"}}\nstages: [validate]\n',
        "x:2:36: images.group.pattern: '(a' is no regular expression: missing )",
    ),
    "pattern without group": (
        'pipeline: p\nimages: {from: a, group: {pattern: "a.*"}}\nstages: [validate]\n',
        "images.group.pattern: 'a.*' has no part called group\n  expected (?P<group>…)",
    ),
    "column": (
        "pipeline: p\nimages: {from: a, group: {column: sku}}\nstages: [validate]\n",
        "x:2:26: images.group: found a column, and no manifest\n  expected a manifest in `from`",
    ),
    "order": (
        "pipeline: p\nimages: {from: a, order: manifest}\nstages: [validate]\n",
        "x:2:26: images.order: found 'manifest', and no manifest",
    ),
    "unknown kind": (
        HEAD + "  thumbnail:\n",
        "x:4:3: stages.thumbnail: no built-in stage is called 'thumbnail'\n  expected validate,",
    ),
    "unknown kind, nearest": (
        HEAD + "  small: {uses: thumbnail}\n",
        "x:4:17: stages.small.uses: no built-in stage is called 'thumbnail'",
    ),
    "no kind at all": (HEAD + "  xyz: {}\n", "  say what the stage does with uses: …"),
    "stage name": (HEAD + "  a b: {uses: validate}\n", "x:4:3: stages.a b: found 'a b' as a stage"),
    "reserved name": (
        HEAD + "  source: {uses: validate}\n",
        "x:4:3: stages.source: a stage called 'source', which has a meaning of its own",
    ),
    "listed twice": (
        HEAD + "  - validate\n  - thumbnails\n  - thumbnails\n",
        (
            "x:6:5: stages[2]: a second stage called 'thumbnails'\n  expected each name once\n"
            "  give it a name of its own and say uses: thumbnails"
        ),
    ),
    "list indented wrongly": (
        HEAD + "  - thumbnails:\n    with: {widths: [1]}\n",
        "x:4:5: stages[0]: found a mapping\n  expected one stage: its name alone",
    ),
    "stage key": (
        HEAD + "  validate:\n    need: []\n",
        "x:5:5: stages.validate.need: unknown key 'need'\n  expected uses, needs, takes,",
    ),
    "policy under with": (
        HEAD + "  validate:\n    with: {timeout: 10s}\n",
        "x:5:12: stages.validate.with.timeout: unknown key 'timeout'",
    ),
    "unquoted braces": (
        HEAD + "  watermark:\n    with: {text: {copyright}}\n",
        (
            "x:5:18: stages.watermark.with.text: found a mapping\n  expected text\n"
            '  braces need quotes in YAML: "{fact}"'
        ),
    ),
    "negative width": (
        HEAD + "  thumbnails:\n    with:\n      widths:\n        - 160\n        - -480\n",
        "x:8:11: stages.thumbnails.with.widths[1]: found -480\n  expected at least 1",
    ),
    "workers": (
        HEAD + "  validate: {workers: 0}\n",
        "x:4:23: stages.validate.workers: found 0\n  expected at least 1",
    ),
    "timeout": (
        HEAD + "  validate: {timeout: 10 sec}\n",
        (
            "x:4:23: stages.validate.timeout: found '10 sec'\n"
            "  expected a time of up to a year, such as 500ms, 10s, 10m or 1h"
        ),
    ),
    "retry": (
        HEAD + "  validate: {retry: 0}\n",
        "x:4:21: stages.validate.retry: found 0\n  expected at least 1",
    ),
    "retry of bad input": (
        HEAD + "  validate: {retry: {on: [invalid]}}\n",
        (
            "x:4:27: stages.validate.retry.on[0]: found 'invalid'\n"
            "  expected transient, timeout, worker_died or bug"
        ),
    ),
    "policy": (
        HEAD + "  validate: {on_failure: partail}\n",
        (
            "x:4:26: stages.validate.on_failure: found 'partail'\n"
            "  expected skip, partial, abort, halt or {abort: run}\n  did you mean 'partial'?"
        ),
    ),
    "unknown need": (
        HEAD + "  validate: {needs: []}\n  thumbnails: {needs: [valdate]}\n",
        (
            "x:5:24: stages.thumbnails.needs[0]: no stage is called 'valdate'\n"
            "  expected a stage of this file\n  did you mean 'validate'?"
        ),
    ),
    "needs itself": (
        HEAD + "  validate: {needs: validate}\n",
        "x:4:21: stages.validate.needs: 'validate' needs itself",
    ),
    "circle": (
        HEAD
        + "  a: {uses: metadata, needs: [b]}\n"
        + "  b: {uses: metadata, needs: [c]}\n"
        + "  c: {uses: metadata, needs: [a]}\n",
        "x:4:31: stages.a.needs[0]: these stages need each other: a → b → c → a",
    ),
    "scope of its kind": (
        HEAD + "  thumbnails: {scope: group}\n",
        (
            "x:4:23: stages.thumbnails.scope: found 'group', but 'thumbnails' works on each image\n"
            "  expected image"
        ),
    ),
    "scope after scope": (
        HEAD + "  thumbnails:\n  publish: {with: {to: out}}\n  encode:\n",
        (
            "x:6:3: stages.encode: 'encode' works on each image and cannot need 'publish', "
            "which works on a group"
        ),
    ),
    "scope after scope, declared": (
        HEAD
        + "  thumbnails:\n  sheet: {uses: contact-sheet, scope: run, needs: thumbnails}\n"
        + "  publish: {needs: [sheet], with: {to: out}}\n",
        (
            "x:6:21: stages.publish.needs[0]: 'publish' works on a group and cannot need 'sheet', "
            "which works on the whole run\n"
            "  expected stages of its own scope, or of a narrower one\n"
            "  put it before that one, or give it scope: run"
        ),
    ),
    "gate on an image stage": (
        HEAD + "  validate: {gate: settled}\n",
        "x:4:14: stages.validate.gate: a gate before 'validate', which works on each image",
    ),
    "gate": (
        HEAD + "  publish: {with: {to: a}, gate: setled}\n",
        (
            "x:4:34: stages.publish.gate: found 'setled'\n"
            "  expected settled, all, a share such as 90%, or roles such as [primary]\n"
            "  did you mean 'settled'?"
        ),
    ),
    "gate roles": (
        HEAD + "  publish: {with: {to: a}, gate: [primary]}\n",
        "stages.publish.gate: no image has the role 'primary'",
    ),
    "takes from what makes no picture": (
        HEAD + "  validate:\n  encode: {needs: validate, takes: validate}\n",
        "x:5:36: stages.encode.takes: 'validate' makes no picture\n  expected source",
    ),
    "takes what it does not need": (
        HEAD + "  crop: {with: {aspect: '3:2'}, needs: []}\n  encode: {takes: crop}\n",
        (
            "x:5:19: stages.encode.takes: 'encode' does not need 'crop'\n"
            "  expected a stage that it needs, directly or not\n  add it: needs: [crop]"
        ),
    ),
    "takes, unknown": (
        HEAD + "  encode: {takes: sorce}\n",
        (
            "x:4:19: stages.encode.takes: no stage is called 'sorce'\n"
            "  expected source, or a stage that 'encode' needs\n  did you mean 'source'?"
        ),
    ),
    "takes without pictures": (
        HEAD + "  crop: {with: {aspect: '3:2'}}\n  validate: {takes: crop}\n",
        "x:5:14: stages.validate.takes: 'validate' works on no picture of another stage",
    ),
    "send": (
        HEAD + "  validate:\n  http: {with: {url: 'https://x', send: validate}}\n",
        "x:5:41: stages.http.with.send: 'validate' makes no files",
    ),
    "of": (
        HEAD + "  thumbnails: {needs: []}\n  contact-sheet: {with: {of: thumbnails}}\n",
        "x:5:30: stages.contact-sheet.with.of: 'contact-sheet' does not need 'thumbnails'",
    ),
    "nothing to show": (
        HEAD + "  validate:\n  contact-sheet:\n",
        "x:5:3: stages.contact-sheet: 'contact-sheet' needs no stage that makes files",
    ),
    "too much to show": (
        HEAD + "  thumbnails:\n  encode:\n  contact-sheet: {needs: [thumbnails, encode]}\n",
        (
            "could show the files of thumbnails or encode\n  expected one of them\n"
            "  say which: with: {of: thumbnails}"
        ),
    ),
    "publish where to": (
        HEAD + "  thumbnails:\n  publish:\n",
        (
            "x:5:3: stages.publish: 'publish' does not know where to publish\n"
            "  expected a target folder\n  let it need a store stage, or say with: {to: public/}"
        ),
    ),
    "publish, two targets": (
        HEAD + "  a: {uses: store}\n  b: {uses: store, with: {to: b/}}\n  publish:\n",
        "'publish' could publish to b/ or public/",
    ),
    "logo": (
        HEAD + "  watermark: {with: {logo: mark.png}}\n",
        (
            "x:4:28: stages.watermark.with.logo: no file is called 'mark.png'\n"
            "  expected a path relative to the pipeline's folder"
        ),
    ),
    "a fact that nobody makes": (
        HEAD + "  validate:\n  watermark: {with: {text: 'a {copyrigt}'}}\n",
        "x:5:28: stages.watermark.with.text: no stage that 'watermark' needs makes the fact",
    ),
    "a fact that another makes": (
        HEAD + "  metadata: {needs: []}\n  watermark: {with: {text: '{copyright}'}}\n",
        "  'metadata' makes it: add it to the needs of 'watermark'",
    ),
    "a fact of an image in a group": (
        PRIMARY + "  metadata:\n  publish: {with: {to: a, title: '{title}'}}\n",
        (
            "'title' is a fact of each image, and 'publish' works on many\n"
            "  expected one of group\n"
            "  say whose: {primary.title}"
        ),
    ),
    "a fact of the primary, nearly": (
        PRIMARY + "  metadata:\n  watermark: {with: {text: '{primary.iccc}'}}\n",
        "no stage that 'watermark' needs makes the fact 'iccc'",
    ),
    "no primary": (
        HEAD + "  metadata:\n  watermark: {with: {text: '{primary.icc}'}}\n",
        "x:5:28: stages.watermark.with.text: {primary.icc} reads a fact of the primary, but no",
    ),
    "a group's fact where there are many groups": (
        HEAD + "  publish: {scope: run, with: {to: a, title: '{group}'}}\n",
        "'group' is a fact of each image, and 'publish' works on many",
    ),
    "pool": (
        HEAD + "  validate: {pool: gpu}\n",
        (
            "x:4:20: stages.validate.pool: no pool is called 'gpu'\n"
            "  expected cpu, io or one of run.pools\n  give it places: run: {pools: {gpu: 1}}"
        ),
    ),
    "run.workers": (
        HEAD + "  thumbnails:\nrun: {workers: {thumnails: 4}}\n",
        (
            "x:5:17: run.workers.thumnails: no stage is called 'thumnails'\n"
            "  expected a stage of this file\n  did you mean 'thumbnails'?"
        ),
    ),
    "run.workers count": (
        HEAD + "  thumbnails:\nrun: {workers: {thumbnails: -4}}\n",
        "x:5:29: run.workers.thumbnails: found -4\n  expected at least 1",
    ),
    "run.workers alone": (
        HEAD + "  thumbnails:\nrun: {workers: many}\n",
        "x:5:16: run.workers: found 'many'\n  expected a whole number",
    ),
    "a key that is not there": (
        HEAD + "  deidentify: {with: {key: gone.key}}\n",
        "x:4:28: stages.deidentify.with.key: no file is called 'gone.key'",
    ),
    "a frame": (
        HEAD + "  dicom: {with: {frame: 0}}\n",
        "x:4:25: stages.dicom.with.frame: found 0\n  expected first, middle, last or a number from",
    ),
    "a window": (
        HEAD + "  dicom: {with: {window: {center: 40}}}\n",
        "stages.dicom.with.window: found a mapping\n  expected file, full, the number of one of",
    ),
    "a window of no width": (
        HEAD + "  dicom: {with: {window: {center: 40, width: 0}}}\n",
        "stages.dicom.with.window: found a mapping\n  expected file, full, the number of one of",
    ),
    "run.parallel": (
        HEAD + "  thumbnails:\nrun: {parallel: [moderate]}\n",
        "x:5:18: run.parallel[0]: no stage is called 'moderate'",
    ),
    "run.pools": (
        HEAD + "  thumbnails:\nrun: {pools: {cup: 3}}\n",
        (
            "x:5:15: run.pools.cup: no stage uses the pool 'cup'\n"
            "  expected a pool that a stage names\n  did you mean 'cpu'?"
        ),
    ),
    "two sizes of one pool": (
        HEAD + "  thumbnails:\nrun: {workers: 2, pools: {cpu: 3}}\n",
        "run: found workers and pools.cpu, which are one and the same",
    ),
    "run.memory": (
        HEAD + "  thumbnails:\nrun: {memory: 2 gigs}\n",
        "x:5:15: run.memory: found '2 gigs'\n  expected a size such as 200MB, 2GiB",
    ),
    "a function's form": (
        HEAD + "  mine: {uses: 'my module:f'}\n",
        (
            "x:4:16: stages.mine.uses: found 'my module:f'\n"
            "  expected module:function, such as mymodule:sharpen"
        ),
    ),
    "a function that is not there": (
        HEAD + "  mine: {uses: 'mine:gone'}\n",
        "x:4:16: stages.mine.uses: mine:gone is not there",
    ),
    "a function's parameter": (
        HEAD + "  mine: {uses: 'mine:threshold', with: {att: 1}}\n",
        "x:4:41: stages.mine.with.att: not a parameter of it",
    ),
    "abort what": (
        HEAD + "  validate: {on_failure: {abort: image}}\n",
        (
            "x:4:26: stages.validate.on_failure: found a mapping\n"
            "  expected skip, partial, abort, halt or {abort: run}"
        ),
    ),
    "budget": (
        HEAD + "  validate: {retry: {budget: 120%}}\n",
        "x:4:30: stages.validate.retry.budget: found '120%'\n  expected a share from 0 to 1",
    ),
    "breaker": (
        HEAD + "  validate: {breaker: {failures: 9, of: 5}}\n",
        (
            "x:4:34: stages.validate.breaker.failures: found 9 failures\n"
            "  expected at most 5, the attempts that are looked at"
        ),
    ),
    "tolerance": (
        HEAD + "  validate:\ntolerance: 5\n",
        "x:5:12: tolerance: found 5\n  expected a share from 0 to 1, such as 0.9 or 90%",
    ),
    "tolerance of what": (
        HEAD + "  validate:\ntolerance: {groups: 5%}\n",
        "x:5:13: tolerance.groups: unknown key 'groups'\n  expected run or group",
    ),
    "alert": (
        HEAD + "  validate:\nalerts: [{webhok: http://a/}]\n",
        "x:5:11: alerts[0].webhok: unknown key 'webhok'\n  expected log, webhook, command, mail",
    ),
    "two alerts in one": (
        HEAD + "  validate:\nalerts: [{log: a, command: b}]\n",
        "alerts[0]: found log and command\n  expected one of log, webhook, command, mail or",
    ),
    "webhook": (
        HEAD + "  validate:\nalerts: [{webhook: ftp://a/}]\n",
        "alerts[0].webhook: found 'ftp://a/'\n  expected an http or https address",
    ),
    "mail": (
        HEAD + "  validate:\nalerts: [{mail: {to: desk, from: a@b.org}}]\n",
        "x:5:22: alerts[0].mail.to: found 'desk'\n  expected a mail address such as",
    ),
    "mail without a password": (
        HEAD + "  validate:\nalerts: [{mail: {to: a@b.org, from: a@b.org, user: me}}]\n",
        "alerts[0].mail: found one of user and password\n  expected both of them, or neither",
    ),
}
