<?php
// Guzzle. PHP writes an empty array as a list, also where an object is meant.
declare(strict_types=1);

require 'GuzzleHttp/autoload.php';

use GuzzleHttp\Client;
use GuzzleHttp\Exception\ClientException;

function check(mixed $found, mixed $expected, string $what): void
{
    if ($found !== $expected) {
        fwrite(STDERR, $what . ': ' . json_encode($found) . ' is not ' . json_encode($expected) . "\n");
        exit(1);
    }
}

$client = new Client(['base_uri' => getenv('SERVER'), 'timeout' => 15]);
$email = getenv('EMAIL');

/** The body of an answer. */
function body($response): array
{
    return json_decode((string) $response->getBody(), true, 512, JSON_THROW_ON_ERROR);
}

$credentials = [
    'client_id' => getenv('CLIENT_ID'),
    'client_secret' => getenv('CLIENT_SECRET'),
    'grant_type' => 'client_credentials',
];
$token = body($client->post('/v1/authorization/token', ['json' => $credentials]));
check($token['expires_in'], 3600, 'the lifetime');
try {
    $client->post('/v1/authorization/token', ['json' => ['client_secret' => 'wrong'] + $credentials]);
    check('200', '401', 'a wrong secret');
} catch (ClientException $refused) {
    check($refused->getResponse()->getStatusCode(), 401, 'a wrong secret');
    check(body($refused->getResponse())['error'], 'invalid_client', 'a wrong secret');
}
$headers = ['Authorization' => 'Bearer ' . $token['access_token']];

$leads = [
    'source' => ['vid' => 1041, 'lid' => 4204],
    'leads' => [
        ['properties' => [], 'fields' => ['FirstName' => 'Ada', 'LastName' => 'Buyer', 'Email' => $email, 'Amount' => '95000']],
        ['properties' => [], 'fields' => []],
    ],
];
$answers = body($client->post('/v2/insert/general', ['headers' => $headers, 'json' => $leads]));
check(array_column($answers, 'ResponseType'), [0, 9], 'what came of the leads');

$asked = [
    'StartDate' => gmdate('Y-m-d\T00:00:00.000000\Z', time() - 86400),
    'EndDate' => gmdate('Y-m-d\T23:59:59.999999\Z'),
    'Query' => [],
    'Skip' => 0,
    'Take' => 50,
];
$all = body($client->post('/v1/leads/query/4204', ['headers' => $headers, 'json' => $asked]));
check(in_array($answers[0]['PostID'], array_column($all['Leads'], 'UID'), true), true, 'the lead among all');
$asked['Query'] = (object) ['Email' => ['$in' => [$email]], 'Amount' => ['$lt' => 100000]];
$found = body($client->post('/v1/leads/query/4204', ['headers' => $headers, 'json' => $asked]));
check($found['Total'], 1, 'the lead by its fields');
check($found['Leads'][0]['Fields']['Email'], $email, 'its field');

$me = body($client->get('/v1/me', ['headers' => $headers]));
check($me['account']['id'], 'acme', 'the account');
