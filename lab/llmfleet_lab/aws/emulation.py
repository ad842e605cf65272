# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All parts put together from a configuration, started and stopped as one."""

from __future__ import annotations

from urllib.parse import urlsplit

from llmfleet_lab.aws.addons import Addons
from llmfleet_lab.aws.agent import Agent
from llmfleet_lab.aws.app import Application
from llmfleet_lab.aws.associations import Associations
from llmfleet_lab.aws.config import Config
from llmfleet_lab.aws.injection import Injection
from llmfleet_lab.aws.request_log import RequestLog
from llmfleet_lab.aws.s3_buckets import Buckets, MotoBuckets, StoredBuckets
from llmfleet_lab.aws.s3_front import S3Front
from llmfleet_lab.aws.s3_proxy import S3Proxy
from llmfleet_lab.aws.s3files.resources import Store
from llmfleet_lab.aws.s3files.service import S3Files
from llmfleet_lab.aws.seed import seed
from llmfleet_lab.aws.server import Server
from llmfleet_lab.aws.token_review import KubernetesReview, Review
from llmfleet_lab.aws.webhook import Webhook
from llmfleet_lab.aws.world import World


class Emulation:
    """The emulated AWS of one account and region. moto keeps its state in the process: one a process.

    review: how the agent checks tokens; by default, with the API server of the configured kubeconfig.
    """

    def __init__(self, config: Config, review: Review | None = None) -> None:
        cluster = config.cluster
        self.world = World(cluster.account, cluster.region)
        seed(self.world, config)
        self.associations = Associations(self.world)
        self.log = RequestLog(config.logs)
        proxy = S3Proxy(config.object_store, cluster.region) if config.object_store is not None else None
        buckets: Buckets = StoredBuckets(proxy) if proxy is not None else MotoBuckets(self.world)
        store = Store(dict(config.delays))
        self.s3files = S3Files(store, self.world, buckets)
        names = {config.listen.address, urlsplit(config.endpoint).hostname or "", "localhost"} - {""}
        application = Application(
            self.world,
            S3Front(self.world, proxy),
            self.s3files,
            self.associations,
            Addons(self.world, store),
            Injection(),
            self.log,
            names,
        )
        self.api = Server(application, config.listen)
        self.endpoint = config.endpoint if config.listen.port else f"http://{config.listen.address}:{self.api.port}"
        self.servers = [self.api]
        self.webhook: Server | None = None
        self.agent: Server | None = None
        if config.webhook is not None:
            webhook = Webhook(cluster.name, cluster.region, self.endpoint, self.associations)
            self.webhook = Server(webhook, config.webhook.listen, (config.webhook.certificate, config.webhook.key))
            self.servers.append(self.webhook)
        if config.agent is not None:
            if review is None and config.kubeconfig is not None:
                review = KubernetesReview(config.kubeconfig)
            agent = Agent(cluster.name, self.world, self.associations, review, self.log)
            self.agent = Server(agent, config.agent)
            self.servers.append(self.agent)

    def start(self) -> None:
        """Serve, each listener in threads of its own."""
        for server in self.servers:
            server.start()

    def stop(self) -> None:
        """Stop serving and close the log."""
        for server in self.servers:
            server.stop()
        self.log.close()
