"""The CloudFormation template of an Atlas on ECS: what it needs of a VPC is given by parameters.

An internal load balancer ends TLS with a certificate of the user's; tasks take connections from it alone, and make them
to the ports of APIs alone. The tasks have no role: nothing in them calls AWS by it. What ECS itself may do to start one
is the execution role's: fetch the image, write the log, read the one secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mom.export import ecs_requests
from mom.export.model import Layout
from mom.export.yaml_text import Explained, yaml_text

# The load balancer sends a task that is to end no new request, and lets it finish those in progress for so long. Only
# then is it told to end.
DRAIN_SECONDS = 120
# A silent event stream is not cut sooner by the load balancer than by Atlas (4000 is the most).
_IDLE_SECONDS = 3_600
_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
_HTTPS = 443

Json = dict[str, Any]


def template(name: str, needed: Sequence[str], place: Layout, destinations: Sequence[int]) -> str:
    """Return the template.

    needed: the variables of the container with values from the secret. destinations: the ports to which it makes
    connections.
    """
    port, has_credentials = place.listen.port, bool(needed)
    references = ecs_requests.References(
        image=_ref("Image"),
        log_group=_ref("Logs"),
        region=_ref("AWS::Region"),
        secret=lambda variable: {"Fn::Sub": f"${{Credentials}}:{variable}::"},
    )
    container = ecs_requests.container(needed, place, references)
    return yaml_text(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"{name}, an authenticating proxy for APIs, on ECS with Fargate",
            "Parameters": _parameters(has_credentials=has_credentials),
            "Resources": {
                "Logs": _logs(),
                "ExecutionRole": _execution_role(has_credentials=has_credentials),
                "TaskDefinition": _task_definition(name, capitalized(container)),
                **_network(port, sorted({*destinations, _HTTPS})),
                **_load_balancer(port),
                "Service": _service(port),
            },
            "Outputs": {
                "LoadBalancer": {
                    "Description": "The name to which that of the certificate is to lead (an alias or CNAME record).",
                    "Value": _attribute("LoadBalancer", "DNSName"),
                }
            },
        }
    )


def capitalized(value: Any) -> Any:
    """Return what an API of ECS takes as CloudFormation has it: keys with capital letters, but for names of options."""
    if isinstance(value, Mapping) and not {"Ref", "Fn::Sub", "Fn::GetAtt"} & value.keys():
        return {
            f"{key[0].upper()}{key[1:]}": each if key == "options" else capitalized(each) for key, each in value.items()
        }
    if isinstance(value, list):
        return [capitalized(each) for each in value]
    return value


def _ref(name: str) -> Json:
    return {"Ref": name}


def _attribute(resource: str, name: str) -> Json:
    return {"Fn::GetAtt": [resource, name]}


def _parameters(*, has_credentials: bool) -> Json:
    secret = {
        "Type": "String",
        "AllowedPattern": "arn:[a-z-]+:secretsmanager:.+",
        "Description": "The ARN of the secret whose JSON object has a key for each variable.",
    }
    return {
        "Image": {
            "Type": "String",
            "Description": "The image built of the Dockerfile, with its tag or digest.",
        },
        **({"Credentials": secret} if has_credentials else {}),
        "Vpc": {"Type": "AWS::EC2::VPC::Id", "Description": "Where tasks and load balancer are."},
        "Subnets": {
            "Type": "List<AWS::EC2::Subnet::Id>",
            "Description": "Two or more, in different zones, with a way to the APIs (a NAT gateway).",
        },
        "Certificate": {"Type": "String", "Description": "The ARN of the load balancer's certificate (ACM)."},
        "Clients": {
            "Type": "String",
            "Default": "10.0.0.0/8",
            "Description": "Who may connect to the load balancer (CIDR).",
        },
        "Scheme": {
            "Type": "String",
            "Default": "internal",
            "AllowedValues": ["internal", "internet-facing"],
            "Description": "Whether the load balancer has addresses of the VPC or public ones.",
        },
        "Cluster": {"Type": "String", "Default": "default", "Description": "The ECS cluster."},
        "Tasks": {"Type": "Number", "Default": 2, "MinValue": 1, "Description": "How many; one of two can be lost."},
        "Cpu": {"Type": "String", "Default": ecs_requests.CPU, "Description": "Of a task, in 1/1024 of a CPU."},
        "Memory": {"Type": "String", "Default": ecs_requests.MEMORY, "Description": "Of a task, in MiB."},
        "Architecture": {
            "Type": "String",
            "Default": "X86_64",
            "AllowedValues": ["X86_64", "ARM64"],
            "Description": "For which the image was built.",
        },
        "AssignPublicIp": {
            "Type": "String",
            "Default": "DISABLED",
            "AllowedValues": ["DISABLED", "ENABLED"],
            "Description": "Of tasks: ENABLED in public subnets without a NAT gateway.",
        },
    }


def _logs() -> Json:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": Explained("Retain", "Who has called which API stays when the stack goes."),
        "UpdateReplacePolicy": "Retain",
        "Properties": {"RetentionInDays": 30},
    }


def _execution_role(*, has_credentials: bool) -> Json:
    managed = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    read = {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": _ref("Credentials"),
    }
    policy = {
        "PolicyName": "credentials",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [read]},
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "ManagedPolicyArns": [{"Fn::Sub": managed}],
            **(
                {"Policies": Explained([policy], "A secret with a KMS key of your own needs kms:Decrypt for it, too.")}
                if has_credentials
                else {}
            ),
        },
    }


def _task_definition(name: str, container: Json) -> Json:
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": name,
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": _ref("Cpu"),
            "Memory": _ref("Memory"),
            "RuntimePlatform": {"CpuArchitecture": _ref("Architecture"), "OperatingSystemFamily": "LINUX"},
            "ExecutionRoleArn": _attribute("ExecutionRole", "Arn"),
            "ContainerDefinitions": [container],
        },
    }


def _network(port: int, destinations: Sequence[int]) -> Json:
    """Return who may connect to whom."""
    clients = {"IpProtocol": "tcp", "FromPort": _HTTPS, "ToPort": _HTTPS, "CidrIp": _ref("Clients")}
    to_tasks = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    # The addresses of APIs change.
    out = [{"IpProtocol": "tcp", "FromPort": each, "ToPort": each, "CidrIp": "0.0.0.0/0"} for each in destinations]
    comment = "The ports of APIs, identity providers and AWS itself; names are looked up by the VPC, whatever is here."
    return {
        "LoadBalancerSecurityGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "Clients of Atlas",
                "VpcId": _ref("Vpc"),
                "SecurityGroupIngress": [{**clients, "Description": "Clients"}],
            },
        },
        "TaskSecurityGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "Tasks of Atlas",
                "VpcId": _ref("Vpc"),
                "SecurityGroupIngress": [
                    {
                        **to_tasks,
                        "SourceSecurityGroupId": _attribute("LoadBalancerSecurityGroup", "GroupId"),
                        "Description": "The load balancer",
                    }
                ],
                "SecurityGroupEgress": Explained(out, comment),
            },
        },
    }


def _load_balancer(port: int) -> Json:
    attributes = {
        "idle_timeout.timeout_seconds": str(_IDLE_SECONDS),
        "routing.http.drop_invalid_header_fields.enabled": "true",
    }
    return {
        "LoadBalancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Type": "application",
                "Scheme": _ref("Scheme"),
                "Subnets": _ref("Subnets"),
                "SecurityGroups": [_attribute("LoadBalancerSecurityGroup", "GroupId")],
                "LoadBalancerAttributes": _pairs(attributes),
            },
        },
        "TargetGroup": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                **ecs_requests.target_group(port),
                "VpcId": _ref("Vpc"),
                "TargetGroupAttributes": Explained(
                    _pairs({"deregistration_delay.timeout_seconds": str(DRAIN_SECONDS)}),
                    "How long requests in progress may take before a task is told to end, which cuts what is left.",
                ),
            },
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": _ref("LoadBalancer"),
                "Protocol": "HTTPS",
                "Port": _HTTPS,
                "SslPolicy": _TLS_POLICY,
                "Certificates": [{"CertificateArn": _ref("Certificate")}],
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": _ref("TargetGroup")}],
            },
        },
    }


def _pairs(attributes: Mapping[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in attributes.items()]


def _service(port: int) -> Json:
    given = ecs_requests.service(
        port,
        cluster=_ref("Cluster"),
        task_definition=_ref("TaskDefinition"),
        tasks=_ref("Tasks"),
        subnets=_ref("Subnets"),
        security_group=_attribute("TaskSecurityGroup", "GroupId"),
        public_ip=_ref("AssignPublicIp"),
        target=_ref("TargetGroup"),
    )
    return {
        "Type": "AWS::ECS::Service",
        "DependsOn": Explained("Listener", "A target group that no listener leads to takes no service."),
        "Properties": capitalized(given),
    }
