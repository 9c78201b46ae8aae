"""The CloudFormation template of an Atlas on ECS: what it needs of a VPC is given by parameters.

An internal load balancer ends TLS with a certificate of the user's; tasks take connections from it alone, and make them
to the ports of APIs alone. The tasks have no role: nothing in them calls AWS by it. What ECS itself may do to start one
is the execution role's: fetch the image, write the log, read the one secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mom.export.yaml_text import Explained, yaml_text
from mom.gateway import HEALTH_PATHS

CONTAINER = "atlas"
# Of a task, in units of 1/1024 of a CPU and in MiB: 10,000 requests per second, and memory for 10,000 adapters with
# 10,000 clients (docs/benchmarks.md). Fargate has this pair.
CPU, MEMORY = "512", "1024"
# The load balancer sends a task that is to end no new request, and lets it finish those in progress for so long. Only
# then is it told to end.
DRAIN_SECONDS = 120
# A silent event stream is not cut sooner by the load balancer than by Atlas (4000 is the most).
_IDLE_SECONDS = 3_600
_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
_HTTPS = 443

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """How a description names what it does not have. secret: of a variable, by its name."""

    image: Any
    log_group: Any
    region: Any
    secret: Callable[[str], Any]


def template(
    name: str,
    container: Callable[[References], Json],
    *,
    port: int,
    destinations: Sequence[int],
    has_credentials: bool,
) -> str:
    """Return the template.

    container: gives the container as RegisterTaskDefinition takes it. port: where it listens. destinations: the ports
    to which it makes connections.
    """
    references = References(
        image=_ref("Image"),
        log_group=_ref("Logs"),
        region=_ref("AWS::Region"),
        secret=lambda variable: {"Fn::Sub": f"${{Credentials}}:{variable}::"},
    )
    return yaml_text(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"{name}, an authenticating proxy for APIs, on ECS with Fargate",
            "Parameters": _parameters(has_credentials=has_credentials),
            "Resources": {
                "Logs": _logs(),
                "ExecutionRole": _execution_role(has_credentials=has_credentials),
                "TaskDefinition": _task_definition(name, capitalized(container(references))),
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
        "Cpu": {"Type": "String", "Default": CPU, "Description": "Of a task, in 1/1024 of a CPU."},
        "Memory": {"Type": "String", "Default": MEMORY, "Description": "Of a task, in MiB."},
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
                **target_group(port),
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


def target_group(port: int) -> Json:
    """Return how the load balancer reaches tasks, and asks for their health; CreateTargetGroup takes the same."""
    return {
        "Protocol": "HTTP",
        "Port": port,
        "TargetType": "ip",
        "HealthCheckPath": HEALTH_PATHS[1],
        "HealthCheckIntervalSeconds": 10,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "200"},
    }


def _pairs(attributes: Mapping[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in attributes.items()]


def service(
    port: int,
    *,
    cluster: Any,
    task_definition: Any,
    tasks: Any,
    subnets: Any,
    security_group: Any,
    public_ip: Any,
    target: Any,
) -> Json:
    """Return a service as CreateService takes it."""
    return {
        "cluster": cluster,
        "taskDefinition": task_definition,
        "desiredCount": tasks,
        "launchType": "FARGATE",
        "deploymentConfiguration": {
            # A deployment whose tasks do not become healthy goes back to the last whose did.
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        },
        "availabilityZoneRebalancing": "ENABLED",
        "healthCheckGracePeriodSeconds": 30,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": [security_group],
                "assignPublicIp": public_ip,
            }
        },
        "loadBalancers": [{"targetGroupArn": target, "containerName": CONTAINER, "containerPort": port}],
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
    }


def _service(port: int) -> Json:
    given = service(
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
