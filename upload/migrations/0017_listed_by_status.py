"""Indexes for the sessions of one status, in the order of the list and by last touch.

The old one goes last: PostgreSQL keeps even readers away from then to the commit.
"""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('upload', '0016_name_index'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['status', '-started_at', '-id'], name='session_list'),
        ),
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['status', 'last_upload_interaction_time', 'started_at'], name='session_touched'),
        ),
        migrations.RemoveIndex(
            model_name='uploadsession',
            name='session_interaction',
        ),
    ]
