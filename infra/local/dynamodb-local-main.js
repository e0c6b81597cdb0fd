/*
 * Starts DynamoDB Local on 127.0.0.1, in memory, one database for all credentials. Argument: port.
 * Run by Rhino inside the Java machine: ServerRunner, its own main class, listens on every interface and cannot be told otherwise.
 */
/* global Packages, java, arguments */
// biome-ignore-all lint: this is JavaScript of another engine, calling Java.
var Runner = Packages.com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
var server = Runner.createServerFromCommandLineArgs([
  '-inMemory',
  '-sharedDb',
  '-disableTelemetry',
  '-port',
  arguments[0],
]);
var field = server.getClass().getDeclaredField('server');
field.setAccessible(true);
var connectors = field.get(server).getConnectors();
for (var i = 0; i < connectors.length; i += 1) connectors[i].setHost('127.0.0.1');
server.start();
server.join();
