"""The CloudFormation template: its linter, its promises, and a deployment to a local AWS as far as that goes."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from snowgauge.testing.certificates import self_signed

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "deploy" / "aws" / "snowgauge.yaml"


@pytest.fixture(scope="module")
def template():
    from cfnlint.decode import cfn_yaml

    loaded = cfn_yaml.load(str(TEMPLATE))
    return json.loads(json.dumps(loaded))


@pytest.mark.parametrize("file", ["snowgauge.yaml", "msk.yaml"])
def test_the_linter_has_nothing_to_say(tool, file):
    done = tool("cfn-lint", f"deploy/aws/{file}")
    assert done.returncode == 0, done.stdout


def test_every_parameter_is_described_and_grouped(template):
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    for name, parameter in template["Parameters"].items():
        assert parameter.get("Description"), name
    guide = (ROOT / "docs" / "guide" / "deploy.md").read_text()
    for name in template["Parameters"]:
        assert f"`{name}`" in guide, f"docs/guide/deploy.md does not explain the parameter {name}"


def statements(template):
    for name, resource in template["Resources"].items():
        for policy in resource.get("Properties", {}).get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                yield name, [actions] if isinstance(actions, str) else actions, statement["Resource"]


NO_NARROWER = {"ecr:GetAuthorizationToken", "ec2:DescribeVolumes", "ec2:DescribeSnapshots"}


def test_roles_may_do_what_they_need_and_nothing_else(template):
    for name, actions, resource in statements(template):
        assert not any("*" in action for action in actions), name
        if resource == "*":
            assert set(actions) <= NO_NARROWER, f"{name}: {actions} on everything"


def test_the_database_is_closed_encrypted_and_outlives_the_stack(template):
    database = template["Resources"]["Database"]
    assert database["DeletionPolicy"] == "Snapshot"
    assert database["Properties"]["StorageEncrypted"] in (True, "true")
    assert template["Parameters"]["DatabaseAccessCidr"]["Default"] == ""
    assert "resolve:secretsmanager" not in json.dumps(template["Outputs"])
    assert template["Resources"]["DatabaseParameters"]["Properties"]["Parameters"]["rds.force_ssl"] == "1"


def resolved(template, parameters, node):
    """A part of the template with these parameters, as far as it takes conditions, references and substitutions."""
    again = functools.partial(resolved, template, parameters)
    if isinstance(node, list):
        return [each for each in map(again, node) if each != "<AWS::NoValue>"]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((name, given),) = node.items()
        match name:
            case "Ref":
                return parameters.get(given, template["Parameters"].get(given, {}).get("Default", f"<{given}>"))
            case "Fn::Equals":
                return again(given[0]) == again(given[1])
            case "Fn::Not":
                return not again(given[0])
            case "Fn::If":
                return again(given[1] if again(template["Conditions"][given[0]]) else given[2])
            case "Fn::Sub":
                text, names = given if isinstance(given, list) else (given, {})
                names = {name: again(each) for name, each in names.items()}
                return re.sub(r"\$\{([\w.:]+)\}", lambda m: names.get(m[1]) or again({"Ref": m[1]}), text)
    found = {name: again(each) for name, each in node.items()}
    return {name: each for name, each in found.items() if each != "<AWS::NoValue>"}


OWN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mine"


@pytest.mark.parametrize(
    ("parameters", "secret", "made"),
    [
        ({}, "<DatabaseSecret>", {"SecretStringTemplate": '{"username": "snowgauge"}'}),
        ({"DatabaseUser": "ada"}, "<DatabaseSecret>", {"SecretStringTemplate": '{"username": "ada"}'}),
        ({"DatabaseUser": "ada", "DatabasePassword": "chosen-by-ada"}, "<DatabaseSecret>", None),
        ({"DatabaseSecretArn": OWN}, OWN, None),
    ],
    ids=["nothing chosen", "a user", "user and password", "a secret"],
)
def test_who_sets_it_up_may_choose_the_databases_account(template, parameters, secret, made):
    resources = template["Resources"]
    database = resolved(template, parameters, resources["Database"]["Properties"])
    for part, name in (("username", "MasterUsername"), ("password", "MasterUserPassword")):
        assert database[name] == f"{{{{resolve:secretsmanager:{secret}:SecretString:{part}}}}}"
    url = resolved(template, parameters, resources["StoreUrl"]["Properties"]["SecretString"])
    assert url.startswith(f"postgresql://{database['MasterUsername']}:{database['MasterUserPassword']}@")
    own = resources["DatabaseSecret"]
    assert resolved(template, parameters, template["Conditions"][own["Condition"]]) is (secret != OWN)
    content = resolved(template, parameters, own["Properties"])
    if made is not None:
        assert content["GenerateSecretString"] == {
            **made, "GenerateStringKey": "password", "PasswordLength": 40, "ExcludePunctuation": True
        }  # fmt: skip
        assert "SecretString" not in content
    elif secret != OWN:
        assert json.loads(content["SecretString"]) == {"username": "ada", "password": "chosen-by-ada"}
        assert "GenerateSecretString" not in content
    assert resolved(template, parameters, template["Outputs"]["DatabaseCredentials"]["Value"]) == secret


def test_the_databases_password_is_never_shown_and_fits_into_an_address(template):
    parameter = template["Parameters"]["DatabasePassword"]
    assert parameter["NoEcho"] in (True, "true")
    fits = re.compile(parameter["AllowedPattern"])
    assert fits.fullmatch("")
    assert fits.fullmatch("Abc.def_ghi~jkl-1")
    for text in ("short", "has a space in", "p@ssword/with:signs", 'quotes"quotes"', "percent%20percent"):
        assert not fits.fullmatch(text)


def test_commands_and_settings_in_it_exist(template, program_exists, tmp_path):
    from snowgauge.settings.load import load

    definitions = template["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    (task,) = resolved(template, {"KafkaBrokers": ""}, definitions)
    program_exists(task["Command"])
    given = {one["Name"]: one["Value"] for one in task["Environment"]} | {
        one["Name"]: "postgresql://u:p@h/d" for one in task["Secrets"]
    }
    load(environment=given, folder=tmp_path)
    script = script_of(template)
    (tmp_path / "url").write_text("postgresql://u:p@h/d")
    on_instance = dict(re.findall(r"-e (SNOWPLOW_\w+)=(\S+)", script))
    on_instance = {
        name: value.replace("/run/secrets/store_url", str(tmp_path / "url")) for name, value in on_instance.items()
    }
    loaded = load(environment=on_instance, flags=["tls.domains=collector.example.com"], folder=tmp_path)
    assert loaded.settings.tls.port_of_visitors == 443
    found = re.search(r"\$\{Image\} (serve .*?) \$\{Email\}", script)
    assert found
    program_exists([*found[1].replace("${DomainName}", "collector.example.com").split(), "--acme-email", "x"])
    for port in ("HTTP", "HTTPS"):
        assert f":{on_instance[f'SNOWPLOW_TLS__{port}_PORT']} " in script


def test_tasks_share_an_event_log_where_brokers_are_named(template, tmp_path):
    from snowgauge.settings.load import load

    parameters = {"KafkaBrokers": "b-1.example.com:9096,b-2.example.com:9096", "KafkaSecretArn": OWN}
    definitions = template["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    without, with_brokers = (
        {one["Name"]: one.get("Value") or one["ValueFrom"] for one in [*task["Environment"], *task["Secrets"]]}
        for (task,) in (resolved(template, given, definitions) for given in ({}, parameters))
    )
    assert {*with_brokers} - {*without} == {
        "SNOWPLOW_EVENTLOG__URL", "SNOWPLOW_EVENTLOG__KAFKA__PROPERTIES", "SNOWPLOW_SHARED_STATE__KEY"
    }  # fmt: skip
    properties = resolved(template, parameters, template["Resources"]["KafkaProperties"]["Properties"]["SecretString"])
    given = {**with_brokers, "SNOWPLOW_EVENTLOG__KAFKA__PROPERTIES": properties, "SNOWPLOW_STORE__URL": "memory://"}
    given["SNOWPLOW_SHARED_STATE__KEY"] = "k" * 48
    kafka = load(environment=given, folder=tmp_path).settings.eventlog
    assert kafka.url == f"kafka://{parameters['KafkaBrokers']}"
    assert kafka.kafka.properties["sasl.password"].get_secret_value().endswith(f"{OWN}:SecretString:password}}}}")
    start = template["Resources"]["StartRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    assert resolved(template, parameters, start["Resource"]) == ["<StoreUrl>", "<KafkaProperties>", "<StateKey>"]


def test_brokers_take_only_who_has_an_account_and_lose_nothing_with_one_of_them():
    from cfnlint.decode import cfn_yaml

    msk = json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE.with_name("msk.yaml")))))["Resources"]
    cluster = msk["Cluster"]["Properties"]
    assert cluster["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    assert cluster["ClientAuthentication"]["Unauthenticated"] == {"Enabled": False}
    assert msk["Cluster"]["DeletionPolicy"] == "Retain"
    configuration = dict(
        line.split("=") for line in msk["Configuration"]["Properties"]["ServerProperties"].splitlines()
    )
    assert configuration["min.insync.replicas"] == "2"
    assert configuration["unclean.leader.election.enable"] == "false"
    assert configuration["auto.create.topics.enable"] == "false"
    (door,) = msk["Brokers"]["Properties"]["SecurityGroupIngress"]
    assert door["SourceSecurityGroupId"] == {"Ref": "Clients"}


def script_of(template):
    return template["Resources"]["Instance"]["Properties"]["UserData"]["Fn::Base64"]["Fn::Sub"][0]


def test_the_agent_is_served_for_the_one_user_who_is_named(template, tmp_path):
    from snowgauge.settings.load import load

    parts = template["Resources"]["Instance"]["Properties"]["UserData"]["Fn::Base64"]["Fn::Sub"][1]["Agent"]["Fn::If"]
    assert parts[0] == "HasAgent"
    assert parts[2] == ""
    values = {
        "AgentIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a1b2c3d4e",
        "AgentClient": "1example23456789",
        "AgentUser": "auth0|aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "AgentOrigin": "https://console.example.com",
    }
    for name, value in values.items():
        assert re.fullmatch(template["Parameters"][name]["AllowedPattern"], value)
        for hostile in ("a' b", 'a"b', "$(id)", "`id`", "a b", "a\nb", "a;b", "a\\b"):
            assert not re.fullmatch(template["Parameters"][name]["AllowedPattern"], hostile), (name, hostile)
    options = shlex.split(re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], parts[1]["Fn::Sub"]))
    assert options[::2] == ["-e"] * (len(options) // 2)
    given = dict(option.split("=", 1) for option in options[1::2])
    agent = load(environment=given, flags=["tls.domains=c.example.com"], folder=tmp_path).settings
    assert agent.tls.agent
    assert (agent.agent.issuer, agent.agent.client_ids, agent.agent.subjects, agent.agent.allowed_origin) == (
        values["AgentIssuer"], [values["AgentClient"]], [values["AgentUser"]], values["AgentOrigin"],
    )  # fmt: skip
    given["SNOWPLOW_AGENT__ALLOWED_ORIGIN"] = ""
    assert load(environment=given, flags=["tls.domains=c.example.com"], folder=tmp_path).settings.agent.configured


def test_the_private_port_opens_for_the_agent_since_there_is_an_admin(template, program_exists, tmp_path):
    from snowgauge.errors import SettingsError
    from snowgauge.pipeline.private_port import open_doors
    from snowgauge.settings.load import load

    command = template["Resources"]["Instance"]["Properties"]["UserData"]["Fn::Base64"]["Fn::Sub"][1]["Admin"]["Fn::If"]
    found = re.search(r"\$\{Image\} (access .*) \|\| true", command[1]["Fn::Sub"])
    assert found
    program_exists(found[1].split())
    given = {"SNOWPLOW_COMMON__DATA_DIR": str(tmp_path), "SNOWPLOW_TLS__AGENT": "true"}
    settings = load(environment=given, flags=["tls.domains=c.example.com"], folder=tmp_path).settings
    with pytest.raises(SettingsError, match="no admin yet"):
        open_doors(settings)
    for status in (0, 1):  # a second start finds the admin there, which is no trouble
        done = subprocess.run(
            [sys.executable, "-m", "snowgauge", *found[1].split()], env={**os.environ, **given}, input="x" * 44 + "\n",
            text=True, capture_output=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert bool(done.returncode) is bool(status), done.stderr
    doors = open_doors(settings)
    assert doors.access.has_admin()
    doors.access.close()


def test_the_instances_script_is_a_shell_script(template):
    text = re.sub(r"\$\{!(\w)", r"${\1", re.sub(r"\$\{[A-Z][\w:.]*\}", "value", script_of(template)))
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def aws(monkeypatch):
    """A local AWS, in its server mode."""
    import boto3
    import requests
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    requests.post(f"http://127.0.0.1:{server.get_host_and_port()[1]}/moto-api/reset", timeout=10)
    host, port = server.get_host_and_port()

    def client(service):
        return boto3.client(service, region_name="eu-central-1", endpoint_url=f"http://{host}:{port}")

    yield client
    server.stop()


COMMON = {"Image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/snowgauge:1", "DomainName": "collector.example.com"}
UNKNOWN_LOCALLY = {
    "AWS::CloudWatch::Alarm",
    "AWS::DLM::LifecyclePolicy",
    "AWS::EC2::EIPAssociation",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Subscription",
}


def as_known_locally(template):
    """Without what moto does not know: some kinds of resources (secrets among them), the database's parameter group
    and address."""
    changed = json.loads(json.dumps(template))
    for name, resource in template["Resources"].items():
        if resource["Type"] in UNKNOWN_LOCALLY:
            del changed["Resources"][name]
        elif resource["Type"] == "AWS::SecretsManager::Secret":  # something that can be referred to in its place
            stand_in = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": "x"}}
            changed["Resources"][name] = stand_in | {key: resource[key] for key in ("Condition",) if key in resource}
    del changed["Resources"]["Database"]["Properties"]["DBParameterGroupName"]
    text = json.dumps(changed)
    return text.replace("${Database.Endpoint.Address}", "database").replace("${Database.Endpoint.Port}", "5432")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("variant", ["single", "loadbalancer"])
def test_it_deploys_to_a_local_aws(aws, template, variant, tmp_path):
    parameters = COMMON | {"Variant": variant, "AlarmEmail": "ops@example.com"}
    if variant == "loadbalancer":
        chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
        self_signed([COMMON["DomainName"]], chain, key)
        made = aws("acm").import_certificate(Certificate=chain.read_bytes(), PrivateKey=key.read_bytes())
        parameters["CertificateArn"] = made["CertificateArn"]
    cloudformation = aws("cloudformation")
    cloudformation.create_stack(
        StackName="snowgauge",
        TemplateBody=as_known_locally(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = cloudformation.describe_stacks(StackName="snowgauge")["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    resources = cloudformation.list_stack_resources(StackName="snowgauge")["StackResourceSummaries"]
    made = {one["LogicalResourceId"] for one in resources if "LogicalResourceId" in one}
    other = {"single": "LoadBalancer", "loadbalancer": "Single"}[variant]
    for name, resource in template["Resources"].items():
        condition = resource.get("Condition")
        if condition in (other, "DatabaseReachable", "HasKafka"):
            assert name not in made, name
        elif resource["Type"] not in UNKNOWN_LOCALLY | {"AWS::SecretsManager::Secret"}:
            assert name in made, name
    (database,) = aws("rds").describe_db_instances()["DBInstances"]
    assert database["StorageEncrypted"]
    assert not database["PubliclyAccessible"]
    if variant == "loadbalancer":
        ecs = aws("ecs")
        (cluster,) = ecs.list_clusters()["clusterArns"]
        (service,) = ecs.list_services(cluster=cluster)["serviceArns"]
        described = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
        assert described["desiredCount"] == 2
        listeners = aws("elbv2").describe_listeners(
            LoadBalancerArn=aws("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
        )["Listeners"]
        assert {listener["Port"] for listener in listeners} == {80, 443}
    else:
        (reservation,) = aws("ec2").describe_instances()["Reservations"]
        assert len(reservation["Instances"]) == 1
